import { mount } from 'svelte';
import App from './App.svelte';
import { connect } from './client.ts';
import './ui/tokens.css';
import './ui/base.css';

const target = document.getElementById('app');
if (target === null) throw new Error('index.html has no element with id "app"');
mount(App, { target, props: { link: connect() } });
